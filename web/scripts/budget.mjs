// Fails when the built pages weigh more than they may. Sizes are gzipped, in kB of 1,000 bytes.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const folder = new URL("../dist/", import.meta.url);
const manifest = JSON.parse(readFileSync(new URL(".vite/manifest.json", folder), "utf8"));
const weight = (file) => gzipSync(readFileSync(new URL(file, folder)), { level: 9 }).length / 1000;

/** Every chunk that a chunk needs before it runs, itself included; what it may load later is left out. */
function needed(name, seen = new Set()) {
  if (seen.has(name)) return seen;
  seen.add(name);
  for (const next of manifest[name]?.imports ?? []) needed(next, seen);
  return seen;
}
const files = (names, kind) =>
  new Set([...names].flatMap((name) => (kind === "js" ? [manifest[name].file] : (manifest[name].css ?? []))));
const sum = (set) => [...set].reduce((total, file) => total + weight(file), 0);

const entry = Object.keys(manifest).find((name) => manifest[name].isEntry);
const find = (part) => {
  const name = Object.keys(manifest).find((one) => one.includes(part) && manifest[one].isDynamicEntry);
  if (!name) throw new Error(`no chunk of the build is made from ${part}`);
  return name;
};
const first = needed(entry);
const builder = needed(find("pages/BuilderPage"));
const beyond = (part, known) => new Set([...needed(find(part))].filter((name) => !known.has(name)));
const styles = new Set(Object.values(manifest).flatMap((chunk) => chunk.css ?? []));

const budget = [
  ["first load, scripts", sum(files(first, "js")), 240],
  ["builder, scripts more", sum(files(beyond("pages/BuilderPage", first), "js")), 120],
  ["code editor, scripts more", sum(files(beyond("expression/Editor", new Set([...first, ...builder])), "js")), 165],
  ["script editor, scripts more", sum(files(beyond("code/ScriptEditor", new Set([...first, ...builder])), "js")), 170],
  ["styles, all", sum(styles), 30],
];
let over = false;
for (const [what, kilobytes, most] of budget) {
  const fits = kilobytes <= most;
  over ||= !fits;
  console.log(`${fits ? "ok  " : "OVER"} ${what.padEnd(26)} ${kilobytes.toFixed(1).padStart(7)} of ${most} kB`);
}
process.exit(over ? 1 : 0);
