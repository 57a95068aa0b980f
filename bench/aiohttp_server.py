"""The same two routes on aiohttp and uvloop, for service-throughput.sh: python3 aiohttp_server.py PORT"""
import asyncio
import sys

import uvloop
from aiohttp import web


async def hello(request):
    return web.json_response({"hello": request.match_info["name"]})


async def order(request):
    body = await request.json()
    return web.json_response({"item": body["item"], "count": body["count"]}, status=201)


async def ticks(request):
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    while True:
        await response.write(b"data: tick\n\n")
        await asyncio.sleep(1)


uvloop.install()
app = web.Application()
app.router.add_get("/hello/{name}", hello)
app.router.add_get("/ticks", ticks)
app.router.add_post("/orders", order)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
