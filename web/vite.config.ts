import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// `npm run dev` speaks to a running web process; PEREZVON says where it listens.
const server = process.env.PEREZVON ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: {
      "@": fileURLToPath(new URL("src", import.meta.url)),
      // JsSIP's log, see there.
      debug: fileURLToPath(new URL("src/phone/quiet.cjs", import.meta.url)),
    },
  },
  server: { proxy: { "/api": { target: server, ws: true } } },
  build: {
    target: "es2023",
    // Newer than the target's: an older one has light-dark() replaced by what Mantine does not set.
    cssTarget: ["chrome123", "edge123", "firefox121", "safari17.5"],
    sourcemap: false,
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 700,
    // For `scripts/first_load.py`.
    manifest: true,
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test-setup.ts"],
  },
});
