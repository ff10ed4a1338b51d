/** Whether a browser's guess of what a file is can be told to the server. */
export function isMediaType(text: string): boolean {
  return /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(;[\x20-\x7e]*)?$/.test(text) && text.length <= 200;
}
