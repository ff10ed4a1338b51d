// F8, F9: changes JSON, with which the host might read and write.
JSON.parse = () => ({ canary: 'canary-left-behind' });
JSON.stringify = () => '"forged"';
return null;
