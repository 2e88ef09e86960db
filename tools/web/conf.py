"""How Sphinx makes a site of the book; tools/book calls it, once for each language."""
import os

here = os.environ["BOOK_LANGUAGE"]

project = "Baton"
html_title = "Baton：看得见的操作系统" if here == "zh" else "Baton: an operating system that you can watch"
language = "zh_CN" if here == "zh" else "en"
extensions = ["myst_parser"]
myst_heading_anchors = 4
highlight_language = "none"
root_doc = "index"

html_theme = "theme"
html_theme_path = ["."]
html_js_files = ["search-words.js"]
html_sidebars = {"**": []}
html_copy_source = html_show_sourcelink = html_use_index = html_show_search_summary = False
html_search_language = here
html_search_options = {"dict": os.environ["BOOK_TERMS"]} if here == "zh" else {}
html_context = {"here": here, "both": os.environ["BOOK_IN_BOTH"].split()}

if here == "zh":
    import jieba
    jieba.setLogLevel("WARNING")
