"""What a core file, a swap partition or a neighbour would show of a process: where in it some bytes are."""
import array
import mmap
import re

PAGE = mmap.PAGESIZE
# A sanitizer's own notes about memory: no region of a program is as large.
SHADOW_BYTES = 1 << 36


class Region:
    def __init__(self, line):
        first, last = line.split()[0].split("-")
        self.first, self.last = int(first, 16), int(last, 16)
        self.may_read = line.split()[1].startswith("r")
        self.name = line.split()[5] if len(line.split()) > 5 else "(anonymous)"
        self.resident, self.flags = 0, ()

    @property
    def is_locked(self):
        return "lo" in self.flags

    @property
    def is_dumped(self):
        return "dd" not in self.flags


def regions(pid):
    out = []
    with open("/proc/%d/smaps" % pid) as lines:
        for line in lines:
            if re.match("[0-9a-f]+-[0-9a-f]+ ", line):
                out.append(Region(line))
            elif line.startswith("Rss:"):
                out[-1].resident = int(line.split()[1])
            elif line.startswith("VmFlags:"):
                out[-1].flags = line.split()[1:]
    return out


def pages(pid, region):
    """The runs of a region's pages that are there: what a sanitizer sets aside is terabytes of nothing."""
    first, last, run = region.first // PAGE, region.last // PAGE, None
    with open("/proc/%d/pagemap" % pid, "rb", 0) as map:
        for start in range(first, last, 1 << 18):
            map.seek(start * 8)
            entries = array.array("Q", map.read(8 * min(1 << 18, last - start)))
            if not any(entries):
                if run is not None:
                    yield run * PAGE, start * PAGE
                    run = None
                continue
            for i, entry in enumerate(entries):
                is_there = entry >> 62 != 0  # in memory, or in the swap
                if is_there and run is None:
                    run = start + i
                elif not is_there and run is not None:
                    yield run * PAGE, (start + i) * PAGE
                    run = None
    if run is not None:
        yield run * PAGE, region.last


def find(pid, secrets):
    """[(name, region)] for each place where one of the named secrets is."""
    found = []
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for region in regions(pid):
            if not region.may_read or not region.resident or region.name in ("[vvar]", "[vsyscall]"):
                continue
            if region.last - region.first > SHADOW_BYTES:
                continue
            for first, last in pages(pid, region):
                memory.seek(first)
                content = memory.read(last - first)
                for name, secret in secrets.items():
                    found += [(name, region)] * content.count(secret)
    return found
