// swift-tools-version: 6.0
import PackageDescription

let package = Package(
  name: "own-data",
  dependencies: [.package(name: "distsgd", path: "../../..")],
  targets: [
    .executableTarget(
      name: "own-data",
      dependencies: [
        .product(name: "DistributedSGD", package: "distsgd"),
        .product(name: "NeuralNet", package: "distsgd"),
        .product(name: "Runs", package: "distsgd"),
      ],
      path: "Sources")
  ],
  swiftLanguageModes: [.v6]
)
