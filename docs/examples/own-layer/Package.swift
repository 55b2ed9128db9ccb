// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "own-layer",
  dependencies: [.package(name: "distsgd", path: "../../..")],
  targets: [
    .executableTarget(
      name: "own-layer",
      dependencies: [
        .product(name: "Commands", package: "distsgd"),
        .product(name: "NeuralNet", package: "distsgd"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
