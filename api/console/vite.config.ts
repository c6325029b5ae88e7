import { defineConfig } from "vite";

// The page is served by the API itself; in development its calls go to a running `gridpatrol serve`.
export default defineConfig({
  base: "./",
  build: { target: "es2022", chunkSizeWarningLimit: 1600 },
  worker: { format: "es" },
  server: { proxy: { "/v1": "http://127.0.0.1:8000" } },
});
