// distsgd with one more optimizer: own-optimizer --optimizer lion
import Commands
import NeuralNet

Catalog.add(optimizer: Lion.self)
Program.main()
