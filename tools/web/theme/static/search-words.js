/* Cut a Chinese query into words as the index was cut: the longest that it knows first. (On the document,
 * where the search itself waits, and so before it.) */
document.addEventListener("DOMContentLoaded", () => {
  if (!document.documentElement.lang.startsWith("zh") || typeof Search === "undefined") return;
  const known = (word) => word in Search._index.terms || word in Search._index.titleterms;
  const cut = (text) => {
    const words = [];
    while (text) {
      let size = Math.min(text.length, 8);
      while (size > 1 && !known(text.slice(0, size))) size--;
      if (size > 1) words.push(text.slice(0, size));
      text = text.slice(size);
    }
    return words;
  };
  window.splitQuery = (query) =>
    (query.match(/[\u4e00-\u9fff]+|[\p{Letter}\p{Number}_]+/gu) || []).flatMap(
      (part) => (/^[\u4e00-\u9fff]{2,}$/.test(part) ? cut(part) : [part]));
  /* What Sphinx has not translated: its older and its newer sentence. */
  const words = Documentation.TRANSLATIONS;
  words["Search finished, found %s page(s) matching the search query."] = "找到 %s 页。";
  words["Search finished, found one page matching the search query."] = Array(2).fill("找到 ${resultCount} 页。");
});
