import { defineConfig } from "vite";

export default defineConfig({
  // Relative addresses: the page works behind any path of a proxy.
  base: "./",
  build: {
    target: "es2023",
    // Fonts stay files: the page's policy lets no data address be one.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" is for servers that render; this page has none.
      onLog: (level, log, tell) => log.code !== "MODULE_LEVEL_DIRECTIVE" && tell(level, log),
    },
  },
  server: { proxy: { "/v1": "http://127.0.0.1:8090" } },
});
