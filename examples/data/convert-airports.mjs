// Turns airports.csv of the npm package vega-datasets into airports.json: the same rows in the same order, one a line,
// latitude and longitude as numbers, everything else as the text that stands there.
//
//   npm pack vega-datasets@3.2.1 && tar xzf vega-datasets-3.2.1.tgz
//   node convert-airports.mjs < package/data/airports.csv > airports.json
import { readFileSync } from 'node:fs';

/** Cells of one line of CSV; a quoted cell may hold commas and doubled quotes, but no line break. */
function cells(line) {
  const found = [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/g)];
  return found.map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain);
}

const [header, ...lines] = readFileSync(0, 'utf8').trimEnd().split(/\r?\n/);
const names = cells(header);
const numbers = new Set(['latitude', 'longitude']);
const rows = lines.map((line, index) => {
  const row = cells(line);
  if (row.length !== names.length) throw new Error(`line ${index + 2} has ${row.length} cells, not ${names.length}`);
  return JSON.stringify(Object.fromEntries(names.map((name, i) => [name, numbers.has(name) ? Number(row[i]) : row[i]])));
});
process.stdout.write(`[\n${rows.join(',\n')}\n]\n`);
