// Bundles web/src/phone into one file: node phone.mjs WEB TARGET. Vite is that of the pages.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [web, outDir] = process.argv.slice(2);
const vite = createRequire(`${web}/package.json`).resolve("vite");
const { build } = await import(pathToFileURL(vite).href);
await build({
  configFile: false,
  publicDir: false,
  logLevel: "warn",
  root: web,
  build: {
    target: "es2023",
    outDir,
    emptyOutDir: true,
    minify: false,
    lib: { entry: "src/phone/index.ts", formats: ["es"], fileName: () => "phone.js" },
  },
});
