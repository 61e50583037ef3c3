// Builds the console: `node build.mjs [folder]` writes what the wheel serves.
//
// The same sources give the same bytes. Each page is a script and a style of its own, loaded when
// it is opened; what pages share is in files named after their content.
import { build } from "esbuild";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const OUT = resolve(process.argv[2] ?? join(HERE, "../bff_core/console/assets"));
const BROWSERS = ["chrome123", "edge123", "firefox120", "safari17.5"]; // light-dark(), color-mix()

const pages = readdirSync(join(HERE, "src/pages")).filter((name) => /^[a-z]+\.(js|css)$/.test(name));
const entryPoints = ["main.js", ...pages.filter((name) => name.endsWith(".js")).map((name) => `pages/${name}`)];
const styles = ["styles/main.css", ...pages.filter((name) => name.endsWith(".css")).map((name) => `pages/${name}`)];
const common = {
  absWorkingDir: HERE,
  bundle: true,
  charset: "utf8",
  entryNames: "[name]",
  legalComments: "none", // the licences are in NOTICES.txt
  logLevel: "warning",
  metafile: true,
  minify: true,
  outdir: OUT,
  target: BROWSERS,
  write: false,
};

const inSources = (names) => names.map((name) => `./src/${name}`);

function packageOf(input) {
  const parts = input.split("node_modules/").at(-1).split("/");
  return input.includes("node_modules/") ? parts.slice(0, parts[0].startsWith("@") ? 2 : 1).join("/") : null;
}

function licenceOf(name) {
  const folder = join(HERE, "node_modules", name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  const { version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const text = file ? readFileSync(join(folder, file), "utf8").trim() : `Licence: ${license}`;
  return `${name} ${version}\n\n${text}\n`;
}

function notices(metafile) {
  const names = [...new Set(Object.keys(metafile.inputs).map(packageOf))].filter(Boolean).sort();
  const title = "The console's scripts contain these packages.\n";
  return [title, ...names.map(licenceOf)].join(`\n${"-".repeat(72)}\n\n`);
}

const scripts = await build({
  ...common,
  entryPoints: inSources(entryPoints),
  chunkNames: "shared-[hash]",
  format: "esm",
  splitting: true,
});
const sheets = await build({ ...common, entryPoints: inSources(styles) });

// Nothing is removed before all is built: a mistake in a source leaves the folder as it was.
rmSync(OUT, { recursive: true, force: true });
mkdirSync(OUT, { recursive: true });
for (const { path, contents } of [...scripts.outputFiles, ...sheets.outputFiles]) writeFileSync(path, contents);
writeFileSync(join(OUT, "index.html"), readFileSync(join(HERE, "src/index.html")));
writeFileSync(join(OUT, "NOTICES.txt"), notices(scripts.metafile));
