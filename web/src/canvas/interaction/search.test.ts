import { expect, test } from "vitest";
import { found } from "./search";

const choices = [
  {
    id: "http.request@1",
    title: "HTTP request",
    detail: "Calls a service over HTTP.",
    words: ["api", "webhook", "curl"],
  },
  { id: "trigger.webhook@1", title: "Webhook", detail: "Starts a run per HTTP request.", words: ["http"] },
  { id: "flow.wait@1", title: "Wait", detail: "Waits for some time.", words: ["delay", "sleep"] },
];
const ids = (query: string) => found(choices, query).map(({ title }) => title);

test("a title that begins so comes before one that only mentions it", () => {
  expect(ids("web")).toEqual(["Webhook", "HTTP request"]);
  expect(ids("http")).toEqual(["HTTP request", "Webhook"]);
});

test("other words that people search for are found", () => {
  expect(ids("sleep")).toEqual(["Wait"]);
  expect(ids("service calls")).toEqual(["HTTP request"]);
  expect(ids("zzz")).toEqual([]);
});

test("without a word everything is offered in its order", () => {
  expect(ids("  ")).toEqual(["HTTP request", "Webhook", "Wait"]);
});
