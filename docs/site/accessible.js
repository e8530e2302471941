// The theme puts a button to copy beside each block of code, in landmarks without names,
// and leaves wide code and wide tables out of the keyboard's way.
function mend() {
  document.querySelectorAll(".md-code__nav").forEach((nav, index) => {
    nav.setAttribute("aria-label", `Code ${index + 1}`);
  });
  const wide = "pre > code:not([tabindex]), .md-typeset__scrollwrap:not([tabindex])";
  document.querySelectorAll(wide).forEach((part) => part.setAttribute("tabindex", "0"));
}
new MutationObserver(mend).observe(document.body, {
  attributeFilter: ["tabindex"], childList: true, subtree: true,
});
mend();
