/** The kind of thing that is dragged from data into a field: an expression with its braces. */
export const EXPRESSION = "application/x-flowforge-expression";
