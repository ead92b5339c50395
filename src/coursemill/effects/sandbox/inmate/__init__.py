"""What runs inside the sandbox: a server that has libraries imported, and its forks, the kernels.

Of this project, the files of this package and a few modules of `pure` are shown in the sandbox, below `/run`, to a
Python that need not have the rest: they use the standard library, ipykernel, and one another.

    server -> monitor (one a kernel: its client's end, its limits) -> init (process 1) -> kernel

The server runs no student's code and is told no secret, so that its forks inherit none. A fork leaves every namespace
of the server's; neither the server nor another fork can be seen from there, nor reached by a file or a socket.
"""
