import { CARD, type Point } from "../model/document";

/** Farther away what stands on a card cannot be read. */
const READABLE = 0.7;
const COMFORTABLE = 0.9;
const MARGIN = 48;

interface View extends Point {
  zoom: number;
}

/**
 * What is in sight when a drawing is opened: all of it while that can be read, else its left end at a size that can.
 * `first` names the nodes that matter most, such as those that differ between two versions.
 */
export function opening(
  layout: Readonly<Record<string, Point>>,
  first: ReadonlySet<string> | undefined,
  stage: { width: number; height: number },
): View | undefined {
  const places = Object.values(layout);
  if (places.length === 0) return undefined;
  const whole = viewOf(places, stage);
  if (whole.zoom >= READABLE) return whole;
  const named = Object.entries(layout).flatMap(([key, place]) => (first?.has(key) ? [place] : []));
  if (named.length > 0) {
    const part = viewOf(named, stage);
    if (part.zoom >= READABLE) return part;
  }
  const left = (named.length > 0 ? named : places).reduce((a, b) => (b.x < a.x ? b : a));
  return {
    x: MARGIN - left.x * COMFORTABLE,
    y: stage.height / 2 - (left.y + CARD.height / 2) * COMFORTABLE,
    zoom: COMFORTABLE,
  };
}

/** All of these cards in the middle of the stage, never larger than they are. */
function viewOf(places: readonly Point[], stage: { width: number; height: number }): View {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const [left, top] = [Math.min(...xs), Math.min(...ys)];
  const width = Math.max(...xs) + CARD.width - left;
  const height = Math.max(...ys) + CARD.height - top;
  const zoom = Math.min(1, (stage.width - 2 * MARGIN) / width, (stage.height - 2 * MARGIN) / height);
  return {
    x: stage.width / 2 - (left + width / 2) * zoom,
    y: stage.height / 2 - (top + height / 2) * zoom,
    zoom,
  };
}
