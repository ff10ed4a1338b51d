// E7: randomness that is not the given one.
const first = Math.random();
const list = crypto.getRandomValues(new Uint32Array(4));
const id = crypto.randomUUID();
const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
return first >= 0 && first < 1 && list.some((word) => word !== 0) && shape.test(id) ? null : id;
