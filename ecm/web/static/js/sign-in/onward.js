// What somebody typed on a board stands behind the # of its address, and comes along through the door: a browser keeps
// it where a form's answer leads, and tells it to no server.

for (const form of document.forms) form.action += location.hash;
