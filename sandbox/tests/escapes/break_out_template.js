// E7: a template in a template, and what looks like an expression of FlowForge.
const text = `{{ secrets.key }} ${`${'{{ nodes.other.output }}'}`}`;
return text === '{{ secrets.key }} {{ nodes.other.output }}' ? null : text;
