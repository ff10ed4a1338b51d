// F7: a static import where a function body stands.
// expects: syntax
import * as std from 'std';
return std.getenviron();
