// vm2: a thenable as the result is called with resolve and reject of the host.
return {
  then(resolve, reject) {
    const kind = resolve.constructor('return typeof process + typeof require + typeof std + typeof os')();
    resolve(kind === 'undefinedundefinedundefinedundefined' ? null : kind);
  },
};
