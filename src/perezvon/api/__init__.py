"""SERVE: HTTP and WebSocket, one file per noun."""
