import { defineConfig } from "vitest/config";

import { record } from "./tools/record.ts";

/** Where the built files go; they are committed and ship in the wheel. */
const OUT = "../casework/web/static/bundle";

export default defineConfig({
  // Addresses of chunks are relative to the module that asks for them: the pages may live anywhere.
  base: "./",
  publicDir: false,
  plugins: [record()],
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    // One small style sheet for all: nothing moves when a component arrives later.
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    // Everything is a file of its own: the policy allows no data: address but for images.
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { app: "src/main.ts" },
      output: {
        // The server puts the digest of these two into their addresses. A chunk has it in its name, so
        // that app.js is another file, with another address, whenever a chunk is.
        entryFileNames: "app.js",
        assetFileNames: "app[extname]",
        chunkFileNames: "[name]-[hash].js",
      },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["test/**/*.test.ts"],
  },
});
