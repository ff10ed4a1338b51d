/** The file that a value's download is, named as the server names it: `run_….output.json`. */
export function valueFile(download: string): { name: string; contentPath: string } {
  const [id = "", part = ""] = download.split("/").slice(-2);
  return { name: `${decodeURIComponent(id).replaceAll("/", ".")}.${part}.json`, contentPath: download };
}
