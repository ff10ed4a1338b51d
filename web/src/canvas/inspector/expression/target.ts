/** Whoever was typed into last takes what is chosen from data. */
let insert: ((text: string) => void) | undefined;

/** A field has the focus: what is chosen from data from now on goes into it. */
export function becomeTarget(take: (text: string) => void): void {
  insert = take;
}

/** A field is gone. */
export function leaveTarget(take: (text: string) => void): void {
  if (insert === take) insert = undefined;
}

/** Puts an expression into the field that was typed into last; says whether there is one. */
export function insertExpression(path: string): boolean {
  insert?.(`{{ ${path} }}`);
  return insert !== undefined;
}
