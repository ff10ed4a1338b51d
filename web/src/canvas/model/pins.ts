import type { FlowDocument, Pin } from "./document";
import { edit } from "./edit";

/** Most bytes of all pins of a draft together, as the server counts them. */
export const PINS_MOST = 256 * 1024;

/** The result that stands for a node in tests, if one does. */
export function pinOf(document: FlowDocument, key: string): Pin | undefined {
  const pins = document.sidecar.pins;
  return pins && Object.hasOwn(pins, key) ? pins[key] : undefined;
}

/** Lets a result stand for a node in tests, or no longer. */
export function setPin(document: FlowDocument, key: string, pin: Pin | undefined): FlowDocument {
  if (pin === undefined && pinOf(document, key) === undefined) return document;
  return edit(document, (draft) => {
    const pins = draft.sidecar.pins ?? {};
    if (pin) pins[key] = pin;
    else delete pins[key];
    if (Object.keys(pins).length > 0) draft.sidecar.pins = pins;
    else delete draft.sidecar.pins;
  });
}

/** Whether the pins fit with this one among them. */
export function pinsFit(document: FlowDocument, key: string, pin: Pin): boolean {
  const text = JSON.stringify({ ...document.sidecar.pins, [key]: pin });
  return new TextEncoder().encode(text).length <= PINS_MOST;
}

/** The pins as a test run takes them; those of nodes that are gone are left out. */
export function pinsToSend({ definition, sidecar }: FlowDocument) {
  return Object.entries(sidecar.pins ?? {})
    .filter(([key]) => Object.hasOwn(definition.nodes, key))
    .map(([node, { output, port }]) => ({ node, output, ...(port === undefined ? {} : { port }) }));
}

/** The pin that stands for what a node gave. */
export function pinFrom(output: Pin["output"], port: string | null): Pin {
  return { output, ...(port === null || port === "out" ? {} : { port }) };
}
