// F7: ends the function that the code stands in and imports at the top.
// expects: syntax
}); import * as os from 'os'; globalThis.os = os; (async function () {
