import sys

library, url = sys.argv[1:]
try:
    if library == "urllib":
        from urllib.request import urlopen

        urlopen(url).read()
    elif library == "http.client":
        from http.client import HTTPSConnection
        from urllib.parse import urlsplit

        parts = urlsplit(url)
        connection = HTTPSConnection(parts.hostname, parts.port)
        connection.request("GET", parts.path)
        connection.getresponse().read()
    elif library == "aiohttp":
        import asyncio

        import aiohttp

        async def ask():
            async with aiohttp.ClientSession() as session, session.get(url) as answer:
                await answer.read()

        asyncio.run(ask())
    else:
        getattr(__import__(library), "get")(url)
except ModuleNotFoundError:
    sys.exit(77)
