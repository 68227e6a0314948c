// A form that is offered again after a new sign-in in another tab: it takes that session's token, so that one press does.
const NAME = "__Host-mixip_csrf=";

document.querySelector("[data-kept]").addEventListener("submit", ({ target }) => {
  const cookie = document.cookie.split("; ").find((pair) => pair.startsWith(NAME));
  if (cookie) target.elements.csrf_token.value = cookie.slice(NAME.length);
});
