# SPDX-License-Identifier: BSD-2-Clause
# Doxygen's input filter: members below "private:" are not part of the API, and
# pages that a comment names become links.
/\/\* private:/,/^};/{
    s,/\* private:,/** @cond */ &,
    s,^};,/** @endcond */ };,
}
s,docs/\([a-z]*\)\.md,@ref md_docs_\1 "&",g
s,docs/\([a-z]*\)-\([a-z]*\)\.md,@ref md_docs_\1_\2 "&",g
