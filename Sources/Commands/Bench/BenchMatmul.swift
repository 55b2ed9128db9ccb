import ArgumentParser
import Bench

struct BenchMatmul: LocalBench {
  static let configuration = CommandConfiguration(
    commandName: "matmul",
    abstract: "One matrix product in four ways: by elements, columns, blocks of columns, and whole.",
    discussion: """
      The more work one BLAS call gets, the more of the processor it uses: why SGD takes minibatches. --sizes and \
      --blocks sweep; with --output and neither, both do, over powers of two.
      """)

  @Option(help: ArgumentHelp("Rows and columns of the matrices.", valueName: "n"))
  var size = 256

  @Option(help: ArgumentHelp("Columns in a block.", valueName: "b"))
  var block = 64

  @Option(help: ArgumentHelp("Sizes to sweep over, by commas.", valueName: "n,…"), transform: integers)
  var sizes: [Int]?

  @Option(help: ArgumentHelp("Blocks to sweep over, by commas.", valueName: "b,…"), transform: integers)
  var blocks: [Int]?

  @Option(help: ArgumentHelp("BLAS threads.", valueName: "t"))
  var threads = 1

  @OptionGroup var output: BenchOutput

  func report() throws -> MatmulReport {
    var options = MatmulOptions()
    options.size = size
    options.block = block
    options.threads = threads
    let sweepsByDefault = output.output != nil && sizes == nil && blocks == nil
    options.sizes = sizes ?? (sweepsByDefault ? MatmulOptions.defaultSizes : [])
    options.blocks = blocks ?? (sweepsByDefault ? MatmulOptions.defaultBlocks(size: size) : [])
    return try MatmulBench(options).run()
  }
}
