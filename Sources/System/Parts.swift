// Contiguous parts of many things: of examples, bytes, rows, cache lines.

/// `count` things cut into `parts` contiguous parts whose sizes differ by at most one, the longer first.
package func part(_ index: Int, of parts: Int, count: Int) -> Range<Int> {
  let size = count / parts
  let longer = count % parts
  let start = index * size + min(index, longer)
  return start..<start + size + (index < longer ? 1 : 0)
}
