"""COMMAND LINE: one file per noun, each a thin asker of the layers below."""
