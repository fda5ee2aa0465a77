# SPDX-License-Identifier: BSD-2-Clause
# Doxygen's filter for Markdown: links to headers become names, which it links
# to their pages; links to files that have no page become their text.
s,\[\([a-z_]*\.h\)\]([^)]*),\1,g
s,\[\([^]]*\)\](LICENSE),\1,g
