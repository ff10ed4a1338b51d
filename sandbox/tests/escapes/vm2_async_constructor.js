// vm2 (CVE-2023-32314 and others): the constructor of async functions.
const AsyncFunction = (async () => {}).constructor;
const answer = await AsyncFunction('return typeof process + typeof require + typeof std + typeof os')();
return answer === 'undefinedundefinedundefinedundefined' ? null : answer;
