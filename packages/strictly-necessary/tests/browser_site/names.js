/* A classic script with variables of its own that have the names of what the guard replaced. */
const open = 1;
let localStorage;
function Worker() {}
class StorageEvent {}
document.documentElement.dataset.names = typeof open + typeof localStorage + Worker.length + StorageEvent.length;
