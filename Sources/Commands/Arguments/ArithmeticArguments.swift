// Who computes, as ArgumentParser sees it.
import ArgumentParser
import NeuralNet

extension ArithmeticName: ExpressibleByArgument {}

struct ArithmeticArguments: ParsableArguments {
  @Option(
    name: .customLong("arithmetic"),
    help: ArgumentHelp(
      "blas, or portable: kernels of our own, with the same bits on any machine.", valueName: "blas|portable")
  )
  var name = ArithmeticName.blas
}
