"""A TLS connection for each TCP connection, for programs that have no TLS; SIP says SIP/2.0/TLS there.

usage: tls_relay.py HOST:PORT TO_HOST:TO_PORT CA.pem NAME
"""
import asyncio
import ssl
import sys


async def copy(reader, writer, old, new):
    try:
        while data := await reader.read(65536):
            writer.write(data.replace(old, new))
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def main(listen, to, ca, name):
    tls = ssl.create_default_context(cafile=ca)
    host, port = to.split(":")

    async def serve(reader, writer):
        try:
            far_reader, far_writer = await asyncio.open_connection(host, int(port), ssl=tls, server_hostname=name)
        except (OSError, ssl.SSLError) as e:
            print(e, flush=True)
            writer.close()
            return
        await asyncio.gather(copy(reader, far_writer, b"SIP/2.0/TCP", b"SIP/2.0/TLS"),
                             copy(far_reader, writer, b"SIP/2.0/TLS", b"SIP/2.0/TCP"))

    host_here, port_here = listen.split(":")
    server = await asyncio.start_server(serve, host_here, int(port_here))
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
