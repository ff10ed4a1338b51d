// E7: comments as in HTML, with which scripts hide code.
<!-- return 1;
return null;
