"""The same two routes on aiohttp and uvloop, for service-throughput.sh: python3 aiohttp_server.py PORT"""
import sys

import uvloop
from aiohttp import web


async def hello(request):
    return web.json_response({"hello": request.match_info["name"]})


async def order(request):
    body = await request.json()
    return web.json_response({"item": body["item"], "count": body["count"]}, status=201)


uvloop.install()
app = web.Application()
app.router.add_get("/hello/{name}", hello)
app.router.add_post("/orders", order)
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=None, print=None)
