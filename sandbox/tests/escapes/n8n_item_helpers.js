// n8n: helpers around the code: $items, $node, $env, $jmespath, $execution, this.helpers.
return ['$', '$items', '$node', '$env', '$jmespath', '$execution', '$workflow', '$input', '$json', 'items', 'helpers', 'DateTime', 'secrets',
  'vars', 'nodes', 'run', 'trigger'].find((name) => name in globalThis) ?? null;
