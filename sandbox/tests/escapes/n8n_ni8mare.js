// E2: a file handle made by hand is data; nothing opens it.
const made = { $file: '/etc/passwd', filepath: '/etc/passwd', name: 'passwd', mediaType: 'text/plain' };
const back = JSON.parse(JSON.stringify(made));
return Object.keys(back).length === 4 && typeof back.$file === 'string' ? null : 'opened';
