// The program. One with layers, losses or optimizers of its own adds them to the catalogue before this line.
import Commands

Program.main()
