/** A box to be placed, by its key; all boxes have one size. */
export interface Line {
  from: string;
  to: string;
  /** Where on its box the line leaves and arrives, from 0 at the top to 1 at the bottom. */
  leaves: number;
  arrives: number;
}

/** A column and a row of a box. Rows are no whole numbers: a box may stand between two others. */
export interface Slot {
  column: number;
  row: number;
}

/** A box, or the place where a line passes a column. */
interface Item {
  key: string | undefined;
  column: number;
  /** Its place in its column. */
  order: number;
  row: number;
  before: Link[];
  after: Link[];
}

interface Link {
  other: Item;
  /** Where the line meets the other end, and this one, from -0.5 to 0.5 of a box. */
  there: number;
  here: number;
  /** Long lines are kept straight before short ones. */
  weight: number;
}

/** How often columns are sorted anew, and how often rows are. */
const SORTS = 12;
const SETTLES = 24;
/** Room that a passing line takes, beside the room of a box. */
const PASSING = 0.4;
/** With more places than this, long lines are drawn across what lies between. */
const MOST_PASSINGS = 20_000;

/**
 * Columns and rows for boxes, so that lines run from left to right, cross seldom and are short. The same graph always
 * gets the same drawing.
 */
export function layers(keys: readonly string[], lines: readonly Line[]): Map<string, Slot> {
  const known = new Set(keys);
  const inside = lines.filter(({ from, to }) => known.has(from) && known.has(to) && from !== to);
  const places = new Map<string, Slot>();
  let below = 0;
  for (const part of parts(keys, inside)) {
    const own = new Set(part);
    const items = drawn(
      part,
      inside.filter(({ from }) => own.has(from)),
    );
    const rows = items.filter(({ key }) => key !== undefined).map(({ row }) => row);
    const top = rows.reduce((least, row) => Math.min(least, row), Number.POSITIVE_INFINITY);
    for (const { key, column, row } of items)
      if (key !== undefined) places.set(key, { column, row: row - top + below });
    below += rows.reduce((most, row) => Math.max(most, row), top) - top + 1;
  }
  return places;
}

/** Boxes that hang together, in the order of their first one. */
function parts(keys: readonly string[], lines: readonly Line[]): string[][] {
  const near = new Map<string, string[]>(keys.map((key) => [key, []]));
  for (const { from, to } of lines) {
    near.get(from)?.push(to);
    near.get(to)?.push(from);
  }
  const seen = new Set<string>();
  const found: string[][] = [];
  for (const start of keys) {
    if (seen.has(start)) continue;
    seen.add(start);
    const part = [start];
    for (const key of part) {
      for (const next of near.get(key) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        part.push(next);
      }
    }
    const own = new Set(part);
    found.push(keys.filter((key) => own.has(key)));
  }
  return found;
}

function drawn(keys: readonly string[], lines: readonly Line[]): Item[] {
  const columnOf = columns(keys, lines);
  const boxes = new Map<string, Item>();
  const items: Item[] = [];
  const add = (key: string | undefined, column: number): Item => {
    const item: Item = { key, column, order: 0, row: 0, before: [], after: [] };
    items.push(item);
    return item;
  };
  for (const key of keys) boxes.set(key, add(key, columnOf.get(key) ?? 0));
  const passings = lines.reduce((sum, { from, to }) => sum + Math.max(0, span(columnOf, from, to) - 1), 0);
  for (const line of lines) {
    const [from, to] = [boxes.get(line.from), boxes.get(line.to)];
    // A line that leads back would be followed in circles; it is drawn, and has no say.
    if (!from || !to || to.column <= from.column) continue;
    if (passings > MOST_PASSINGS && to.column > from.column + 1) continue;
    let last = from;
    for (let column = from.column + 1; column < to.column; column += 1) {
      const passing = add(undefined, column);
      link(last, passing, last === from ? line.leaves - 0.5 : 0, 0, last === from ? 2 : 8);
      last = passing;
    }
    link(last, to, last === from ? line.leaves - 0.5 : 0, line.arrives - 0.5, last === from ? 1 : 2);
  }
  const filled: Item[][] = [];
  for (const item of ordered(items)) {
    filled[item.column] ??= [];
    filled[item.column]?.push(item);
  }
  const all = Array.from(filled, (column) => column ?? []);
  for (const column of all) number(column);
  sort(all);
  settle(all);
  return items;
}

function span(columnOf: ReadonlyMap<string, number>, from: string, to: string): number {
  return (columnOf.get(to) ?? 0) - (columnOf.get(from) ?? 0);
}

function link(from: Item, to: Item, leaves: number, arrives: number, weight: number): void {
  from.after.push({ other: to, here: leaves, there: arrives, weight });
  to.before.push({ other: from, here: arrives, there: leaves, weight });
}

/** How many lines the longest way to each box has; what nothing leads to stands right before what it leads to. */
function columns(keys: readonly string[], lines: readonly Line[]): Map<string, number> {
  const after = new Map<string, string[]>(keys.map((key) => [key, []]));
  const before = new Map<string, string[]>(keys.map((key) => [key, []]));
  const open = new Map<string, number>(keys.map((key) => [key, 0]));
  for (const { from, to } of lines) {
    after.get(from)?.push(to);
    before.get(to)?.push(from);
    open.set(to, (open.get(to) ?? 0) + 1);
  }
  const order: string[] = [];
  const column = new Map<string, number>();
  const waiting = new Set(keys);
  let ready = keys.filter((key) => open.get(key) === 0);
  while (waiting.size > 0) {
    // Where everything left waits in a circle, the first one begins.
    if (ready.length === 0) ready = [...waiting].slice(0, 1);
    for (const key of ready) {
      if (!waiting.delete(key)) continue;
      order.push(key);
      const placed = (before.get(key) ?? []).flatMap((one) => column.get(one) ?? []);
      column.set(key, placed.reduce((most, one) => Math.max(most, one), -1) + 1);
      for (const next of after.get(key) ?? []) {
        const left = (open.get(next) ?? 0) - 1;
        open.set(next, left);
        if (left === 0 && waiting.has(next)) ready.push(next);
      }
    }
    ready = [];
  }
  for (const key of order.reverse()) {
    const nexts = (after.get(key) ?? []).flatMap((one) => column.get(one) ?? []);
    const here = column.get(key) ?? 0;
    if ((before.get(key) ?? []).length > 0 || nexts.length === 0) continue;
    const nearest = nexts.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY) - 1;
    if (nearest > here) column.set(key, nearest);
  }
  return column;
}

/** Items in the order in which one comes to them, following lines from top to bottom: a first order without much crossing. */
function ordered(items: readonly Item[]): Item[] {
  const seen = new Set<Item>();
  for (const start of items) {
    if (start.before.length > 0 || seen.has(start)) continue;
    const open = [start];
    for (let item = open.pop(); item; item = open.pop()) {
      if (seen.has(item)) continue;
      seen.add(item);
      const next = [...item.after].sort((a, b) => b.here - a.here);
      for (const { other } of next) open.push(other);
    }
  }
  return [...seen, ...items.filter((item) => !seen.has(item))];
}

function number(column: Item[]): void {
  for (const [index, item] of column.entries()) item.order = index;
}

/** Sorts every column by the middle of what it is joined to, to and fro, and keeps the order that crosses least. */
function sort(all: Item[][]): void {
  let best = crossings(all);
  let kept = all.map((column) => [...column]);
  for (let round = 0; round < SORTS && best > 0; round += 1) {
    const forth = round % 2 === 0;
    for (const column of forth ? all : [...all].reverse()) {
      const wanted = new Map(column.map((item) => [item, middle(item, forth ? item.before : item.after)]));
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a.order - b.order);
      number(column);
    }
    const now = crossings(all);
    if (now >= best) continue;
    best = now;
    kept = all.map((column) => [...column]);
  }
  for (const [index, column] of kept.entries()) {
    all[index] = column;
    number(column);
  }
}

function middle(item: Item, links: readonly Link[]): number {
  if (links.length === 0) return item.order;
  return links.reduce((sum, { other, there }) => sum + other.order + there, 0) / links.length;
}

/** How many pairs of lines cross, counted column by column. */
export function crossings(all: readonly (readonly Item[])[]): number {
  let sum = 0;
  for (const column of all) {
    const ends = column.flatMap((item) =>
      [...item.after].sort((a, b) => a.here - b.here).map(({ other, there }) => other.order + there),
    );
    sum += inversions(ends);
  }
  return sum;
}

/** How many pairs stand in the wrong order. */
function inversions(values: number[]): number {
  if (values.length < 2) return 0;
  const half = values.length >> 1;
  const [left, right] = [values.slice(0, half), values.slice(half)];
  let count = inversions(left) + inversions(right);
  let at = 0;
  for (let index = 0; index < values.length; index += 1) {
    const [a, b] = [left[at], right[index - at]];
    if (b === undefined || (a !== undefined && a <= b)) {
      values[index] = a as number;
      at += 1;
    } else {
      values[index] = b;
      count += left.length - at;
    }
  }
  return count;
}

/** Gives rows: each as near to what it is joined to as the order and the room between them allow. */
function settle(all: readonly (readonly Item[])[]): void {
  for (const column of all) place(column, () => undefined);
  for (let round = 0; round < SETTLES; round += 1) {
    const sides = (item: Item) =>
      round >= SETTLES - 2 ? [...item.before, ...item.after] : round % 2 === 0 ? item.before : item.after;
    for (const column of round % 2 === 0 ? all : [...all].reverse()) place(column, (item) => sides(item));
  }
}

/** Rows of one column, nearest to what is wanted (isotonic regression, by pooling neighbors that stand in the way). */
function place(column: readonly Item[], linksOf: (item: Item) => readonly Link[] | undefined): void {
  interface Pool {
    sum: number;
    weight: number;
    items: number;
  }
  const pools: Pool[] = [];
  let offset = 0;
  const offsets: number[] = [];
  column.forEach((item, index) => {
    const above = column[index - 1];
    if (above)
      offset +=
        above.key === undefined || item.key === undefined ? (above.key === item.key ? PASSING : (1 + PASSING) / 2) : 1;
    offsets.push(offset);
    const links = linksOf(item) ?? [];
    const weight = links.reduce((sum, link) => sum + link.weight, 0);
    const wanted = links.reduce((sum, link) => sum + link.weight * (link.other.row + link.there - link.here), 0);
    // What is joined to nothing on this side stays where it is, if nobody else wants the place.
    const pull = weight > 0 ? wanted / weight : item.row;
    const own = weight > 0 ? weight : 0.01;
    let pool: Pool = { sum: (pull - offset) * own, weight: own, items: 1 };
    for (let last = pools.at(-1); last && last.sum / last.weight > pool.sum / pool.weight; last = pools.at(-1)) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, weight: pool.weight + last.weight, items: pool.items + last.items };
    }
    pools.push(pool);
  });
  let index = 0;
  for (const { sum, weight, items } of pools) {
    for (const end = index + items; index < end; index += 1) {
      const item = column[index];
      if (item) item.row = sum / weight + (offsets[index] ?? 0);
    }
  }
}
