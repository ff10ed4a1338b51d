import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { type AddressInfo, createServer as createSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { test as base, expect, type Page } from "@playwright/test";
import { preview } from "vite";

/**
 * A port that is free now, and that no other worker will ask for: a server that was killed wants the same one again, so
 * it must not be one that the kernel hands out.
 */
export async function freePort(worker: number): Promise<number> {
  for (let port = 21_000 + worker * 500; ; port += 1) {
    const free = await new Promise<boolean>((resolve) => {
      const socket = createSocket();
      socket.once("error", () => resolve(false));
      socket.listen(port, "127.0.0.1", () => socket.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** A real server with an empty database, that can be killed and started again. */
export class Forge {
  private process: ChildProcess | undefined;
  private readonly folder = mkdtempSync(join(tmpdir(), "flowforge-e2e-"));
  key = "";

  constructor(private readonly port: number) {}

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  private settings: NodeJS.ProcessEnv = {};

  private readonly binary = process.env.FLOWFORGE_BIN ?? "../target/debug/flowforge";

  /** What is set beside the rest on PostgreSQL: a database of its own, and a master key. */
  private database: NodeJS.ProcessEnv = {};

  /** Makes a database in the server that `FLOWFORGE_E2E_POSTGRES` names; without it everything is on SQLite. */
  private async makeDatabase(): Promise<void> {
    const server = process.env.FLOWFORGE_E2E_POSTGRES;
    if (!server || this.database.FLOWFORGE__DATABASE__URL) return;
    const run = promisify(execFile);
    const name = `e2e_${process.pid}_${this.port}`;
    await run("psql", ["--quiet", server, "--command", `CREATE DATABASE ${name}`]);
    const { stdout } = await run(this.binary, ["secret", "new-key"]);
    writeFileSync(join(this.folder, "master.key"), stdout, { mode: 0o600 });
    this.database = {
      FLOWFORGE__DATABASE__URL: server.replace(/\/[^/]*$/, `/${name}`),
      FLOWFORGE__SECRETS__MASTER_KEY_FILE: join(this.folder, "master.key"),
    };
  }

  private get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      ...this.database,
      ...this.settings,
      FLOWFORGE__DATA_DIR: this.folder,
      FLOWFORGE__SERVER__BIND: `127.0.0.1:${this.port}`,
      FLOWFORGE__HTTP__ALLOW_HOSTS: "127.0.0.1",
    };
  }

  /** Starts it, with these settings besides the usual ones from then on. */
  async start(settings: NodeJS.ProcessEnv = this.settings): Promise<void> {
    this.settings = settings;
    await this.makeDatabase();
    this.process = spawn(this.binary, ["serve"], {
      stdio: ["ignore", "ignore", process.env.FORGE_LOG ? "inherit" : "ignore"],
      env: this.environment,
    });
    await expect
      .poll(
        () =>
          fetch(`${this.url}/ready`)
            .then(({ status }) => status)
            .catch(() => 0),
        { timeout: 30_000 },
      )
      .toBe(200);
    this.key ||= await this.firstKey();
  }

  /** An embedded home leaves its first key in its folder; elsewhere the command makes one. */
  private async firstKey(): Promise<string> {
    if (!process.env.FLOWFORGE_E2E_POSTGRES) return readFileSync(join(this.folder, "admin.key"), "utf8").trim();
    return this.makeKey("admin");
  }

  /** Makes a key on the server itself. */
  async makeKey(role: string): Promise<string> {
    const make = ["key", "create", "--role", role, "--output", "json"];
    const { stdout } = await promisify(execFile)(this.binary, make, { env: this.environment });
    return (JSON.parse(stdout) as { key: string }).key;
  }

  /** Pulls the plug: nothing is said to the process before it ends. */
  async kill(): Promise<void> {
    const { process } = this;
    if (!process || process.exitCode !== null || process.signalCode !== null) return;
    const gone = new Promise((resolve) => process.once("exit", resolve));
    process.kill("SIGKILL");
    await gone;
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Asks the API, past the pages. */
  async ask<T>(query: string, variables: Record<string, unknown> = {}, key = this.key): Promise<T> {
    const response = await fetch(`${this.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    const { data, errors } = (await response.json()) as { data: T; errors?: { message: string }[] };
    if (errors) throw new Error(errors.map(({ message }) => message).join("; "));
    return data;
  }

  /** A link that signs a browser in, as it is printed, for pages at `site`. */
  async loginLink(site: string): Promise<string> {
    const { stdout } = await promisify(execFile)(this.binary, ["admin", "login-link"], { env: this.environment });
    const secret = stdout.trim().split("#")[1] ?? "";
    return `${site}/sign-in#${secret}`;
  }

  /** Publishes a definition and says the version's id. */
  async publish(name: string, definition: unknown, title = name): Promise<string> {
    const { publishWorkflow } = await this.ask<{
      publishWorkflow: { version: { id: string } | null; problems: unknown[] };
    }>(
      "mutation($input: PublishWorkflowInput!) { publishWorkflow(input: $input) { version { id } problems { code message } } }",
      { input: { name, definition, title } },
    );
    if (!publishWorkflow.version) throw new Error(JSON.stringify(publishWorkflow.problems));
    return publishWorkflow.version.id;
  }

  /** Starts a run and says its id. */
  async run(workflow: string, input: unknown = {}): Promise<string> {
    const { startRun } = await this.ask<{ startRun: { run: { id: string } } }>(
      "mutation($input: StartRunInput!) { startRun(input: $input) { run { id } } }",
      { input: { workflow, input } },
    );
    return startRun.run.id;
  }
}

/** A service that workflows call: it answers as its test says. */
export async function service(
  answer: (
    path: string,
    headers: IncomingHttpHeaders,
  ) => { status: number; body: unknown; headers?: Record<string, string> },
  delay = 0,
) {
  const calls: string[] = [];
  const server = createServer((request, response) => {
    calls.push(request.url ?? "");
    const { status, body, headers } = answer(request.url ?? "", request.headers);
    const text = JSON.stringify(body);
    setTimeout(() => response.writeHead(status, { "content-type": "application/json", ...headers }).end(text), delay);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, calls, close: () => server.close() };
}

/** Where the pages of a server are, and how they go away again. */
interface Pages {
  url: string;
  close: () => Promise<void>;
}

/** The server's own pages, as users get them, or those of the last `npm run build` before a server, on a port. */
export async function pagesBefore(server: string, port: () => Promise<number>): Promise<Pages> {
  if (process.env.FLOWFORGE_PAGES === "server") return { url: server, close: async () => undefined };
  const behind = { target: server, changeOrigin: true, headers: { origin: server } };
  const others = Object.fromEntries(["/session", "/auth", "/api", "/hooks"].map((path) => [path, behind]));
  const proxy = { "/graphql": { ...behind, ws: true }, ...others };
  const pages = await preview({ logLevel: "silent", preview: { host: "127.0.0.1", port: await port(), proxy } });
  return { url: pages.resolvedUrls?.local[0]?.replace(/\/$/, "") ?? "", close: () => pages.close() };
}

interface Fixtures {
  /** A page that is signed in. */
  signedIn: Page;
}

interface Workers {
  /** Test files with the same word share a server; a word of its own gives a file an empty one. */
  database: string;
  forge: Forge;
  site: string;
}

/** Tests with a server of their own and the built pages before it. */
export const test = base.extend<Fixtures, Workers>({
  database: ["shared", { option: true, scope: "worker" }],
  forge: [
    async ({ database: _ }, use, { parallelIndex }) => {
      const forge = new Forge(await freePort(parallelIndex));
      await forge.start();
      await use(forge);
      await forge.remove();
    },
    { scope: "worker" },
  ],
  site: [
    async ({ forge }, use, { parallelIndex }) => {
      const pages = await pagesBefore(forge.url, () => freePort(parallelIndex));
      await use(pages.url);
      await pages.close();
    },
    { scope: "worker" },
  ],
  signedIn: async ({ page, forge, site }, use) => {
    const outside: string[] = [];
    page.on("request", (request) => {
      // A person who signs a connection in goes to its service; pages themselves ask nobody else.
      if (request.isNavigationRequest() && request.url().includes("/authorize?")) return;
      if (!request.url().startsWith(site) && !request.url().startsWith("data:")) outside.push(request.url());
    });
    const broken: string[] = [];
    page.on("pageerror", (error) => broken.push(String(error)));
    await page.addInitScript((key) => sessionStorage.setItem("flowforge.key", key), forge.key);
    await page.goto(`${site}/workflows`);
    await use(page);
    expect(outside, "requests that leave the origin").toEqual([]);
    expect(broken, "errors of the page").toEqual([]);
  },
});

export { expect };

/** Opens a page for whoever has this key. */
export async function openWith(page: Page, key: string, address: string): Promise<void> {
  await page.addInitScript((shown) => sessionStorage.setItem("flowforge.key", shown), key);
  await page.goto(address);
}

/** A keyboard's or pointer's name for a node on the canvas. */
export function node(page: Page, key: string) {
  return page.getByTestId(`node-${key}`);
}
