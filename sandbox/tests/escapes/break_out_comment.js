// E7: comments out what stands behind the code.
// expects: syntax
return null; /*
