// F4: import.meta, which names the file of a module.
// expects: syntax
return import.meta.url;
